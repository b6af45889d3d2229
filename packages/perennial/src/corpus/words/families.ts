/**
 * Languages (ISO 639-3) by script (ISO 15924) and family, one line each: `script|family|codes`. Codes stand in the order of
 * how much web text there is, families of a script likewise by their first language; `-` collects isolates and languages
 * without a family. The order is data: the fallback tree takes the first suitable language.
 * Compiled from the tokenizer table of datatrove and the language distribution of FineWeb2.
 */
export const LANGUAGE_FAMILIES = `
Adlm|-|und
Aghb|-|und
Ahom|-|und
Arab|Afro-Asiatic|arb ary arz ars apc aeb acm arq ayp shu
Arab|Indo-European|fas urd pbt ckb snd sdh pnb hac glk mzn skr kas lrc lki bcc
Arab|Turkic|uig azb uzs tuk
Arab|Dravidian|brh
Arab|Austronesian|bjn zsm ace min
Arab|Niger-Congo|sus fuv
Arab|-|ota ajp ara aze bal ful kau kur lah msa pus uzb zxx
Arab|Nilo-Saharan|knc
Armi|-|und
Armn|Indo-European|hye hyw
Armn|-|und
Avst|-|und
Bali|-|und
Bamu|-|und
Bass|-|und
Batk|-|und
Beng|Indo-European|ben asm bpy syl
Beng|-|und
Beng|Sino-Tibetan|mni grt
Bhks|-|und
Bopo|-|und
Brah|-|und
Brai|-|und
Bugi|-|und
Buhd|-|und
Cakm|-|und
Cans|Eskimo-Aleut|ike
Cans|-|und cre iku oji
Cans|Algic|ojb crm crk crl crj cwd
Cari|-|und
Cham|-|und
Cher|-|und
Cher|Iroquoian|chr
Chrs|-|und
Copt|Afro-Asiatic|cop
Copt|-|und
Cpmn|-|und
Cprt|-|und
Cyrl|Indo-European|rus ukr bul mkd srp bel tgk oss rue ron chu kmr rmn rmy sgh
Cyrl|Turkic|kaz uzn kir bak tat chv sah tyv uig kaa azj kum krc crh alt nog tuk kjh gag cjs
Cyrl|Mongolic|khk bxr xal
Cyrl|-|und orv lfn aze bua chm hbs kom kur mon rom uzb
Cyrl|Uralic|udm mhr kpv myv mrj mdf koi yrk kca mns nio sel
Cyrl|Nakh-Daghestanian|che ava lez inh lbe tab dar agx tkr kap
Cyrl|Abkhaz-Adyghe|kbd ady abk abq
Cyrl|Sino-Tibetan|dng
Cyrl|Tungusic|eve
Cyrl|Chukotko-Kamchatkan|ckt itl
Deva|Indo-European|hin npi mar anp mai san bho hne gom awa snd mup thl mag kas sck rjs dty kex
Deva|-|und doi nwx kok nep raj
Deva|Sino-Tibetan|new brx taj suz rav xsr lif kle ghe
Deva|Dravidian|kru fmu
Diak|-|und
Dogr|-|und
Dsrt|-|und
Dupl|-|und
Egyp|-|und
Elba|-|und
Elym|-|und
Ethi|Afro-Asiatic|amh tir mdy kxc sgw gmv gof kqy ktb tig wal
Ethi|-|und
Ethi|Nilo-Saharan|guk
Geor|Kartvelian|kat xmf
Geor|-|und
Glag|-|und
Gong|-|und
Gonm|-|und
Goth|-|und got
Gran|-|und
Grek|Indo-European|ell grc pnt rmn
Grek|-|und rom
Gujr|Indo-European|guj
Gujr|-|und
Guru|Indo-European|pan
Guru|-|und
Hang|Koreanic|kor
Hani|Sino-Tibetan|cmn yue wuu lzh hak
Hani|-|nan zho
Hano|-|und
Hatr|-|und
Hebr|Afro-Asiatic|heb hbo
Hebr|Indo-European|ydd lad
Hebr|-|und yid
Hira|-|und
Hluw|-|und
Hmng|-|und
Hmnp|-|und
Hung|-|und
Ital|-|und
Java|-|und
Java|Austronesian|jav
Jpan|Japonic|jpn
Kali|Sino-Tibetan|kyu
Kali|-|und
Kana|-|und
Kawi|-|und
Khar|-|und
Khmr|Austro-Asiatic|khm cmo
Khmr|-|und
Khoj|-|und
Kits|-|und
Knda|Dravidian|kan tcy
Knda|-|und
Kthi|-|und
Lana|-|und
Laoo|Kra-Dai|lao
Laoo|-|und
Laoo|Austro-Asiatic|ncq
Latn|Indo-European|eng deu spa fra ita por pol nld ces swe ron dan slk bos cat lit slv als lvs hrv isl glg afr lat cym nrm gle srp kmr ltz fry fao gla hif cos hin roh ast oci urd nds bre gsw nap hsb lim bar arg kiu fur pms wln lmo scn rmy sco rmn ben ltg zea pan diq vls dsb frr vec szl lij ksh csb mwl pfl lad frp gos pcd cor san ext tly npi glv sgs stq pdt mar gom ory lld rmc rup guj asm pdc rmo aln snd prg hrx swg nrf hns rml sdc syl rhg kas ccp ckm cnr nor
Latn|Austronesian|ind zsm fil plt ceb jav mri smo sun haw hil ilo iba fij ban bcl ton bbc tah pon dtp tet gil ace bts pag aaz nak bjn btx war hla szy pam mui rar tvl tpz chk kos ify tuc meu mbb yap cha mah krj rad niu nia kpg mbt abx ksd alp jra skg mbi att dhv ami klv mpx rug apr mmn ptu nij bnp tbc ifk isd pau aai aji gfk bgt mad jvn dob gor min mmo ntu ljp sml pma trv npy dgc jae bdd bhw tay mmx dad pwg smk sgb bch viv agn dww sas sbe xsi bpr bgs itv mwv tnp kud bku bzh tsg leu lid buk blz tte swp yml twu tnn uvl nwi lex sbl ubr myw sps lcm tvk ppk tiy kij wuv mrw nho nsn mva khz ifb mox mek snc hot kqw tgp pri kbm rro rai txq mbh mee tbo sgz sxn tkl ssg kne rtm emi pwn aia tnk bjp apb ptp mbs lew lbb mna akb heg kwd bno agt row xmv llg mqj mak kje ibg tgo lww wls wed kwf bvd kqf clu adz bkd msk mwc blw bps nss cgc prf msb bxh aui upv rgu amk syb hnn nlg btd gdg xnn bwd dru ifu mvp mrq mvn nfa mlu kqe yka atd lbk sda aoz far rap mqy drg kmk suc ebk whk pmf lgl bug frd mbd ksc bmk mog mta rej duo mzz bgz obo kzf ivv lnd sdo tih tpa plw xbr bhz pne tbk wat mhy bhp ifa nmw fud met mnb omb bth tbl knx pse xsb hvn iry ivb ktm otd kak sdq stn atq due kei loe agw alj bvc dtb mrv pss tbw wew bnj kmd law mgm msm tdx twb
Latn|Turkic|tur azj uzn tuk tat crh uig gag kaa kdr
Latn|Austro-Asiatic|vie kha cmo bru sat caq bdq wbm hoc
Latn|Uralic|hun fin ekk sme vro vep fit olo smn krl sma sms smj fkv liv sju vot lud
Latn|-|nob nno gmh srd ido twi eml vol fro avk ina lfn tlh nan nah non tok ang ile jbo nov enm fat goh kpe kzj daf oto tzl tpw ldn ara aym aze bik bnc cre din est ful gba got grb grn hbs hmn iku ipk kau kln kok kon kur lav luy man mlg msa nep oji ori orm que rom sqi swa tmh uzb xum zap zha zho zxx zza
Latn|Language isolate|eus ura cax tca cbu kto sua rkb kbh wba con auc ain kgr yuz
Latn|Niger-Congo|swh kin xho zul nya ibo sot sna yor run lug nde lin ndo kik ewe tso wol nso tsn swc efi kua gaa ven loz lub tog bba dyu bam acd nbl nzi lua mos kng iso tiv ssw bem guw nyn gur toi fon fuf bci tbz kam bqc kwn umb kbp yre kmb her nyu kwy ada dag xsm mfq fuv vmw seh mgr bum dop koo adj bin sop urh ndc jbu gkn rnd yom mzw xon izr sus dig nfr kao ffm mer men bib xrb gux dgi mcu kkj tum kqn yal dts kez lee biv fal dyi dyo thk ozm akp zne spp cwt gbo ntr eza dnj cce lam bss gog heh knf nba blh suk kus tsc guz hay bas chw ngl kki sig hag lue vun knk lef ziw toh nhu ted dua ken bus bud kss bfd lia fuh kde gng nnb muh lmp lsm nyo nim cko ogo yao gso pem snf dga ewo nyy aba xuo abn rng mgh sby kcg tll bqp ann kyf eko bim bsq leh idu ati cwe vid kck mwn tod beq ruf kdc ajg nnq nko ncu nuj sil izz nin dhm ikk atg soy myk myx sxb mnk tsw ige kdl nnw anv fub wmw zdj ngp ikw ndh lwg oke mck fan ybb loq box srr mkl poy ish lai mcp ttj cme lip mny vag ldi bsp hav xog snw nyf bwu wib old dur tpm dug maw bbj fue uth cjk any bmq neb sfw tem nse tui vmk kmy ife swb goa ktj lun mnf llb mev rub sld twx kdh lom mhw ndj csk kia wlx bav cgg gjn kno msc naw ngb yam gwr kub lem pkb bov bqj gej gud mzk nnh tke wob wwa nyk rim tik etu jmc kny mfg mgo moa tlj byv fuq gbr gya iri lob mzm ndi nmz nwb ade bsc btt cou iqw krx kuj mda ndz sbd abi asg avn bbk bkv bom diu ilb kqs ksb lol mor tap yaz bfo bwq dos dow eka gna lgm mua phm sbs soe swk tnr vut aha bbo bmv eto kqo ksf lok ngc nxd nza oku pfe pny tul yat aka ald kdp khy kma kzn las lea nla shr yas
Latn|Afro-Asiatic|som hau mlt gaz kab wal arb sid shi kqp mif gof gde gmv taq irk mfi hig kbr sur mqb meq dwr gnd xed hae daa amf muy bcw mfh ttq kvj pbi giz mcn mpg ker maf mfk mse mug tmc lln gid rel dbq dsh say thv
Latn|Creole|bew hat pap mfe bis rcf tpi sag crs srn kea gcf srm cbk jam rop pcm bzj acf gcr djk hwc mkn abs gul pis kri tcs mbf ktu xmm pov icr wes cri max tdt
Latn|Constructed language|epo
Latn|Hmong-Mien|mww ium hnj
Latn|Sino-Tibetan|lus cnh cfm kac ctd hak aeu tcz mjw pck mni hmr zom acn mwq vap cnk lhu njo bgr raw csy atb ahk kix trp nmf nbu zyp cek czt njn hra lsi njb nmo apt ria gnb mhx adi kmm nph dln biu nbe smt lmk cmr njm dis npo nsm kyu nbc nzm rnl njz pmx yim cnw nma nst aim ajz lhi nng nre adl nnp nri anm mrg nkf nmh nnl nsa nct tro brx cdf hlt nki
Latn|Eskimo-Aleut|kal ikt esu esk esi ess
Latn|Dravidian|tel tam mal kan
Latn|Tupian|gug gui pah gun kyz gub gnw kgk mav gyr myu srq guq yrl urb oym nhd aqz arr eme tpn
Latn|Mayan|cak quc yua tzo mam acr poh hus tzh cac kek agu tzj jac toj ixl knj ctu mop usp lac chf caa ttc kjb
Latn|Sepik|abt aau amp sny yss sim kwj kmo wos ian iws
Latn|Aymaran|ayr
Latn|Uto-Aztecan|nhe crn nhw nch ncj cok ncx ngu tac nhi hch npl nhy tar nhg pao ncl mfy yaq nhx azz nsu stp ntp var ood hop nhk nuz
Latn|Quechuan|quy qug quz qwh qup qxh quf qub qvw qvh quw qvn qvm qvs qvi inb qvz qve qxr qxn quh qvc qxo qxl qva qul qvo qus
Latn|Nilo-Saharan|luo ach bjv sgc dik teo mas bdh alz kyq spy udu lgg enb avu gvl kpz mfz kdi keo knc mur nus luc lwo dje ses gqr laj mhi adh ksp niy sba tuv kbo kby tcc dks kdj shk bex did log mgc mwm myb lap ddn dip khq led ndp ndy niq
Latn|Mapudungu|arn
Latn|Torricelli|ape aoj xbi ong avt kms urt uri
Latn|Chibchan|gym cuk tfr cjp sab bzd kvn tuf kog
Latn|Trans-New Guinea|tlf aak khs aom agd med aby mps ubu yby imo spl ded hui kmg tbg fai bbr kkc byr xla sue kyc kmh rwo mpp nop bmu bhl kpr boj dgz mcq snp soq bjr bmh aey yli zia iou yon kze mlp wsk dah opm aso ipi okv ksr kew nca gaw mti kpw big yuw auy bef agm ssd kpf kup abz mux kmu yrb mhl yut naf kjs ppo kpx kyg nii kue wer sll gvf wnu apz ino omw enq wnc nou gdn tim usa uvh wiu gam kqc tif bbb awb ghs kgf nbq waj gah bco akh faa kvg etr cjv kbq kkl bhg awx eri for nif mlh ssx ddg dnw klt mpt kxw taw ons nvm ksj mtg whg urw fad mkz tqo kpq awi kqa nlc szb
Latn|Otomanguean|maq zai ote otq amu zpa maz mxb zty maa cpa zpu zaw tcf mxt ztq chz zpz vmy cuc zac mil cle mau cnt cya zpl cso cco mxv xtn zpv trc zat mpm zpc pls otm zab cut mih xtd cta ctp azg mio zas zar zao zpm zaa zpt mie mjc mit ots zpo miz cnl chq trq mib mks miy mza mig maj cux zae zam xtm zsr zpi zav zpg mim zad mip poe pmq trs zca otn zpq pps chj cly zpj
Latn|Pidgin|hmo
Latn|Australian|bvr wrk pjt gnn aly wim aoi nuy mwp gvn wbp djr wmt amx aer are mph dhg mwf
Latn|Tacanan|cav ese tna
Latn|Maipurean|cab cni pab guc trn cpy ter plu aca apu cpc ame pib cpb mcb cot not ign pio ycn cpu wap cjo bwi prq
Latn|Tucanoan|bsn des coe tuo pir bao myy cbc snn tue sey tav cub tnc gvc sri
Latn|Totonacan|top tee tpt tos toc tku too tpp
Latn|Kra-Dai|zyb blt
Latn|Eastern Trans-Fly|bon gdr
Latn|Panoan|cbs shp cao mcd cbr kaq yaa mcf
Latn|Paezan|gum pbb
Latn|Guajiboan|cui guh guo
Latn|Senagi|agg
Latn|Yele-West New Britain|ata yle
Latn|South Bougainville|nas
Latn|Tarascan|tsz pua
Latn|Jivaroan|acu agr jiv hub
Latn|Chocoan|sja emp noa cto
Latn|Ramu-Lower Sepik|msy gai geb spm
Latn|Algic|atj alq mic otw crk csw pot arp bla ojb
Latn|Witotoan|hto bmr boa huu
Latn|South-Central Papuan|knv
Latn|Mixe-Zoquean|mco mxq mxp zos mto poi mir pxm mzl pos zoc
Latn|Khoe-Kwadi|naq nhr
Latn|Puinavean|cbv mbj pui
Latn|East Geelvink Bay|bvz
Latn|Barbacoan|kwi cof cbi
Latn|Siouan-Catawban|dak
Latn|Cariban|car apy bkq mbc ake hix way yup pbc
Latn|Mosetenan|cas
Latn|Misumalpan|miq yan
Latn|East Bird’s Head-Sentani|mej mnx mtj
Latn|West Papuan|gbi tby yva tlb saj
Latn|Jean|kgp xav txu apn
Latn|Pauwasi|yuj
Latn|East New Britain|byx
Latn|Arauan|pad cul jaa
Latn|Eyak-Athabaskan|crx dgr caf apw gwi nav bea
Latn|Chipaya-Uru|cap
Latn|Tequistlatecan|chd
Latn|Border|wrs amn
Latn|Matacoan|mca mtp cag wlv mzh crt
Latn|Arai (Left May)|amm
Latn|Zamucoan|ceg ayo
Latn|North Bougainville|roo
Latn|Nambikwara|nab
Latn|Maxakalian|mbl
Latn|Guaykuruan|kbc tob plg moc
Latn|Zaparoan|arl
Latn|Harákmbut|amr
Latn|Kiowa-Tanoan|tew
Latn|Cahuapanan|cbt
Latn|Huavean|huv
Latn|Iroquoian|moh chr
Latn|Piawi|tmd
Latn|Yaguan|yad
Latn|Jicaquean|jic
Latn|Mixed language|rmq rme
Latn|Karajá|kpj
Latn|Yanomaman|xsu guu
Latn|Mascoyan|enl enx
Latn|Muskogean|cho mus
Latn|Kx’a|ktz
Latn|Tor-Kwerba|ury bkl
Latn|Yuat|kql
Latn|Bororoan|bor
Lepc|-|und
Limb|Sino-Tibetan|lif
Limb|-|und
Lina|-|und
Linb|-|und
Lisu|Sino-Tibetan|lis
Lisu|-|und
Lyci|-|und
Lydi|-|und
Mahj|-|und
Maka|-|und
Mand|-|und
Mani|-|und
Marc|-|und
Medf|-|und
Mend|-|und
Merc|-|und
Mero|-|und
Mlym|Dravidian|mal
Mlym|-|und
Modi|-|und
Mong|-|und
Mong|Tungusic|sjo
Mroo|-|und
Mtei|Sino-Tibetan|mni
Mtei|-|und
Mult|-|und
Mymr|Sino-Tibetan|mya ksw blk kyu
Mymr|Kra-Dai|shn
Mymr|-|und
Mymr|Austro-Asiatic|mnw
Nagm|-|und
Nand|-|und
Narb|-|und
Nbat|-|und
Newa|-|und
Nkoo|Mixed language|nqo
Nkoo|-|und
Nshu|-|und
Ogam|-|und
Olck|Austro-Asiatic|sat
Olck|-|und
Orkh|-|und
Orya|Indo-European|ory
Orya|-|und ori
Orya|Austro-Asiatic|jun
Osge|-|und
Osma|-|und
Ougr|-|und
Palm|-|und
Pauc|-|und
Perm|-|und
Phag|-|und
Phli|-|und
Phlp|-|und
Phnx|-|und
Plrd|-|und
Prti|-|und
Rjng|-|und
Rohg|-|und
Runr|-|und
Samr|-|und
Sarb|-|und
Saur|-|und
Sgnw|-|und
Shaw|-|und
Shrd|-|und
Sidd|-|und
Sind|-|und
Sinh|Indo-European|sin
Sinh|-|und
Sogd|-|und
Sogo|-|und
Sora|-|und
Soyo|-|und
Sund|-|und
Sylo|-|und
Syrc|-|und syr
Syrc|Afro-Asiatic|syc aii
Tagb|-|und
Takr|-|und
Tale|-|und
Talu|-|und
Taml|Dravidian|tam
Taml|-|und
Tang|-|und
Tavt|-|und
Telu|Dravidian|tel wsg kff
Telu|-|und gon
Tfng|Afro-Asiatic|tzm zgh taq ttq
Tfng|-|tmh und
Tglg|-|und
Thaa|Indo-European|div
Thaa|-|und
Thai|Kra-Dai|tha nod
Thai|-|und msa
Thai|Austronesian|urk
Thai|Sino-Tibetan|bzi pww
Thai|Austro-Asiatic|lcp kxm
Tibt|Sino-Tibetan|bod dzo lbj
Tibt|-|und
Tirh|-|und
Tnsa|-|und
Toto|-|und
Ugar|-|und
Vaii|-|und
Vith|-|und
Wara|-|und
Wara|Austro-Asiatic|hoc
Wcho|-|und
Xpeo|-|und
Xsux|-|und
Yezi|-|und
Yiii|-|und
Zanb|-|und
Zzzz|-|zxx
`;
